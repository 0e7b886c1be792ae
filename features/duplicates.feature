Feature: Duplicates
  The same signal often arrives again while it is being seen to. The oldest request stands for all of them, counts
  them, and tells people about them once, when it is over.

  Scenario: Duplicates are folded into the request that is already under way
    Given the analyst takes 30 seconds over the first signal
    And the first signal arrives, for which the analyst recommends "increase-memory"
    And the first remediation is being analysed
    When 1 second passes
    And the second signal arrives about the same as the first, for which the analyst recommends "increase-memory"
    And the third signal arrives about the same as the first, for which the analyst recommends "increase-memory"
    Then the second remediation is skipped because of "DuplicateInProgress"
    And the second remediation names the first one
    And the third remediation is skipped because of "DuplicateInProgress"
    And the first remediation counts 2 duplicates
    And the first remediation completes
    And somebody is told of its duplicates of the first remediation
    And exactly 1 notification was sent about the first remediation
    And nobody is notified about the second remediation
    And exactly 1 run was started on the target

  Scenario: The same signal after the end is a new story
    Given the first signal arrives, for which the analyst recommends "increase-memory"
    And the first remediation has completed
    When 6 minutes pass
    And the second signal arrives about the same as the first, for which the analyst recommends "increase-memory"
    Then the second remediation completes
    And the first remediation counts 0 duplicates
    And exactly 2 runs were started on the target

  Scenario: A duplicate that comes while the original is executed finds the target busy
    Given the first signal arrives, for which the analyst recommends "increase-memory"
    And the first remediation is executing
    When the second signal arrives about the same as the first, for which the analyst recommends "increase-memory"
    Then the second remediation is skipped because of "ResourceBusy"
    And the second remediation names the first one
    And the first remediation completes
