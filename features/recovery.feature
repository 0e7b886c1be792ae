Feature: Recovery
  An execution that failed before it changed anything may be followed by another: the analyst hears the whole story
  and recommends something else. One that failed while it worked is a person's business.

  Scenario: Another workflow is tried after a failure before the work began
    Given the step "prepare" runs out of memory before the work starts in the first execution of the first remediation
    When the first signal arrives, for which the analyst recommends first "increase-memory" and then "restart-deployment"
    Then the first remediation completes
    And the first remediation was analysed 2 times
    And the first remediation was executed 2 times
    And nobody is notified about the first remediation

  Scenario: The analyst runs out of ideas
    Given the step "prepare" runs out of memory before the work starts
    When the first signal arrives, for which the analyst recommends first "increase-memory" and then "restart-deployment"
    Then the first remediation fails with "WorkflowResolutionFailed"
    And the first remediation was analysed 3 times
    And the first remediation was executed 2 times
    And somebody is asked for manual review of the first remediation

  Scenario: A failure of the work itself is never repeated
    Given the step "kubectl-patch" exits with an error
    When the first signal arrives, for which the analyst recommends first "increase-memory" and then "restart-deployment"
    Then the first remediation fails with "TaskFailed"
    And the first remediation was analysed 1 time
    And the first remediation was executed 1 time
    And somebody is asked for manual review of the first remediation

  Scenario: The orchestrator restarts while an execution works
    Given the first signal arrives, for which the analyst recommends "increase-memory"
    And the first remediation is executing
    When the orchestrator crashes and restarts
    Then the first remediation completes
    And the first remediation was executed 1 time
    And exactly 1 run was started on the target

  Scenario: The orchestrator restarts while the analyst thinks
    Given the first signal arrives, for which the analyst recommends "increase-memory"
    And the first remediation is being analysed
    When the orchestrator crashes and restarts
    Then the first remediation completes
    And the first remediation was analysed 1 time
    And the first remediation was executed 1 time

  Scenario: The analysis is deleted
    Given the analyst never answers about the first signal
    And the first signal arrives, for which the analyst recommends "increase-memory"
    And the first remediation is being analysed
    When somebody deletes the analysis of the first remediation
    Then the first remediation fails with "AIAnalysisDeleted"

  Scenario: The execution is deleted
    Given the first signal arrives, for which the analyst recommends "increase-memory"
    And the first remediation is executing
    When somebody deletes the execution of the first remediation
    Then the first remediation fails with "WorkflowExecutionDeleted"
    And somebody is asked for manual review of the first remediation

  Scenario: The request is withdrawn while its execution works
    Given the first signal arrives, for which the analyst recommends "increase-memory"
    And the first remediation is executing
    When somebody withdraws the first remediation
    Then nothing is left of the first remediation
    When the lock is released
    And the second signal arrives, for which the analyst recommends "increase-memory"
    Then the second remediation completes
