Feature: Cooldown
  After a run has ended, its lock stays on the target for five minutes, so that the cluster can settle.
  Whoever comes in that time waits for the release and is never lost.

  Scenario: The lock is released on time
    Given the first execution of "increase-memory" has completed
    When 4 minutes pass
    Then the lock is still held
    And the lock is released between 5 minutes and 5 minutes 10 seconds after the first execution ended
    And p95 of "terminal to lock released" is below 310 seconds

  Scenario: An execution that comes during the cooldown waits for the release
    Given the first execution of "increase-memory" has completed
    When 2 minutes pass
    And the second execution of "restart-deployment" is requested
    And 1 minute passes
    Then the second execution is waiting for the lock
    And its explanation mentions the first execution
    And the second execution completes
    And no two runs worked on the target at the same time
    And exactly 2 runs were started on the target

  Scenario: A failed run keeps its lock through the cooldown too
    Given the step "kubectl-patch" exits with an error
    And the first execution of "increase-memory" has failed
    When 4 minutes pass
    Then the lock is still held
    And the lock is released between 5 minutes and 5 minutes 10 seconds after the first execution ended

  Scenario: Where signals may wait, the same workflow is executed again after the cooldown
    Given signals wait for a busy target
    And the first signal arrives, for which the analyst recommends "increase-memory"
    And the first remediation has completed
    When the second signal arrives, for which the analyst recommends "increase-memory"
    Then the second remediation is blocked because of "RecentlyRemediated"
    And the second remediation completes
    And the second remediation was blocked between 3 minutes and 5 minutes 10 seconds
    And exactly 2 runs were started on the target
