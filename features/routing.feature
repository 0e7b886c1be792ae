Feature: Routing
  Before anything is executed for a signal, the orchestrator looks at what the cluster shows of the target:
  who works on it, what has failed there, what has just been mended. It says why it waits or declines.

  Scenario: Happy path
    When the first signal arrives, for which the analyst recommends "increase-memory"
    Then the first remediation completes
    And the first remediation was executed 1 time
    And nobody is notified about the first remediation

  Scenario: Resource busy
    Given the first signal arrives, for which the analyst recommends "increase-memory"
    And the first remediation is executing
    When the second signal arrives, for which the analyst recommends "increase-memory"
    Then the second remediation is skipped because of "ResourceBusy"
    And the second remediation names the first one
    And the second remediation was executed 0 times
    And the first remediation completes
    And exactly 1 run was started on the target

  Scenario: Cooldown active
    Given the first signal arrives, for which the analyst recommends "increase-memory"
    And the first remediation has completed
    When 1 minute passes
    And the second signal arrives, for which the analyst recommends "increase-memory"
    Then the second remediation is skipped because of "RecentlyRemediated"
    And the second remediation names the first one
    And the second remediation was executed 0 times
    And exactly 1 run was started on the target

  Scenario: Exponential back-off delays the next execution
    Given the step "prepare" runs out of memory before the work starts in the first execution of the first remediation
    And the analyst takes 10 seconds over the first signal
    When the first signal arrives, for which the analyst recommends first "increase-memory" and then "restart-deployment"
    Then the first remediation is blocked because of "ExponentialBackoff"
    And the first remediation completes
    And the first remediation was executed 2 times
    And the first remediation was blocked between 40 seconds and 67 seconds

  Scenario: Exhausted retries
    Given the step "prepare" runs out of memory before the work starts
    And the first signal arrives, for which the analyst recommends what it likes
    And the first remediation has failed
    And the second signal arrives, for which the analyst recommends what it likes
    And the second remediation has failed
    When the third signal arrives, for which the analyst recommends "increase-memory"
    Then the third remediation fails with "ExhaustedRetries"
    And the third remediation was executed 0 times
    And somebody is asked for manual review of the third remediation

  Scenario: Previous execution failure
    Given the step "kubectl-patch" exits with an error in the first execution of the first remediation
    And the first signal arrives, for which the analyst recommends "increase-memory"
    And the first remediation has failed
    Then somebody is asked for manual review of the first remediation
    When the second signal arrives, for which the analyst recommends "restart-deployment"
    Then the second remediation fails with "PreviousExecutionFailed"
    And the second remediation names the first one
    And somebody is asked for manual review of the second remediation
    When somebody clears the block that the first remediation left
    And the third signal arrives, for which the analyst recommends "restart-deployment"
    Then the third remediation completes

  Scenario: Execution-time race
    Given a second orchestrator believes that it leads
    When two signals arrive at the same instant, for which the analyst recommends first "increase-memory" and then "restart-deployment"
    Then one of the two executes, and the other is turned away or loses the race
    And no two runs worked on the target at the same time

  Scenario: A different workflow on the same target
    Given the first signal arrives, for which the analyst recommends "increase-memory"
    And the first remediation has completed
    When 1 minute passes
    And the second signal arrives, for which the analyst recommends "restart-deployment"
    Then the second remediation completes
    And exactly 2 runs were started on the target
    And no two runs worked on the target at the same time
