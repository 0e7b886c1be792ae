Feature: Notifications
  People are told when they are needed, once for each occasion, and left alone otherwise.

  Scenario: A workflow that the analyst is not sure of waits for approval
    Given the analyst is not sure about the first signal
    And the approver approves the first remediation
    When the first signal arrives, for which the analyst recommends "increase-memory"
    And the first remediation awaits approval
    Then somebody is asked for approval of the first remediation
    And the first remediation completes
    And exactly 1 notification was sent about the first remediation

  Scenario: What is not approved is not executed
    Given the analyst is not sure about the first signal
    And the approver rejects the first remediation
    When the first signal arrives, for which the analyst recommends "increase-memory"
    Then the first remediation fails with "ApprovalRejected"
    And the first remediation was executed 0 times

  Scenario: An approval that never comes
    Given the analyst is not sure about the first signal
    And the approver never looks at the first remediation
    When the first signal arrives, for which the analyst recommends "increase-memory"
    Then the first remediation times out in "AwaitingApproval"
    And somebody is told of the timeout of its phase of the first remediation
    And the first remediation was executed 0 times

  Scenario: An analyst that never answers
    Given the analyst never answers about the first signal
    When the first signal arrives, for which the analyst recommends "increase-memory"
    Then the first remediation times out in "Analyzing"
    And somebody is told of the timeout of its phase of the first remediation

  Scenario: Nothing has to be done
    Given the analyst finds nothing to do about the first signal
    When the first signal arrives, for which the analyst recommends "increase-memory"
    Then the first remediation completes without an execution
    And nobody is notified about the first remediation

  Scenario: No workflow is found
    Given the analyst finds no workflow about the first signal
    When the first signal arrives, for which the analyst recommends "increase-memory"
    Then the first remediation fails with "WorkflowResolutionFailed"
    And somebody is asked for manual review of the first remediation
    And exactly 1 notification was sent about the first remediation

  Scenario: The orchestrator restarts just after a failure, and people are still told once
    Given the step "kubectl-patch" exits with an error
    And the first signal arrives, for which the analyst recommends "increase-memory"
    And the first remediation has failed
    When the orchestrator crashes and restarts
    Then somebody is asked for manual review of the first remediation
    And exactly 1 notification was sent about the first remediation
