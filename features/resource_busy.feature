Feature: Resource busy
  A target is worked on by one execution at a time. The run of the first execution is the lock:
  while it works, nobody else starts anything on the target.

  Scenario: A second execution on a busy target is turned away
    Given the first execution of "increase-memory" is running
    When the second execution of "increase-memory" is requested
    Then the second execution fails with "ExecutionRaceCondition"
    And its explanation mentions the first execution
    And it changed nothing in the cluster
    And the first execution completes
    And exactly 1 run was started on the target

  Scenario: A different workflow has to respect the lock as well
    Given the first execution of "increase-memory" is running
    When the second execution of "restart-deployment" is requested
    Then the second execution fails with "ExecutionRaceCondition"
    And it changed nothing in the cluster
    And the first execution completes
    And exactly 1 run was started on the target

  Scenario: The target is free again once its lock is released
    Given the first execution of "increase-memory" has completed
    When the lock is released
    And the second execution of "increase-memory" is requested
    Then the second execution completes
    And exactly 2 runs were started on the target
    And no two runs worked on the target at the same time
    And p95 of "creation to running" is below 30 seconds

  Scenario: The orchestrator does not ask for a target on which somebody else's execution works
    Given the first execution of "increase-memory" is running
    When the first signal arrives, for which the analyst recommends "restart-deployment"
    Then the first remediation is skipped because of "ResourceBusy"
    And the first remediation was executed 0 times
    And the first execution completes
    And exactly 1 run was started on the target

  Scenario: Where signals may wait, they are executed when the target is free
    Given signals wait for a busy target
    And the first signal arrives, for which the analyst recommends "increase-memory"
    And the first remediation is executing
    When the second signal arrives, for which the analyst recommends "restart-deployment"
    Then the second remediation is blocked because of "ResourceBusy"
    And the second remediation completes
    And exactly 2 runs were started on the target
    And no two runs worked on the target at the same time
