Feature: RBAC forbidden
  A missing permission is named as such, with the account that lacks it, wherever it is missed:
  inside a step of the workflow, or when the controller starts the run.

  Scenario: The workflow's service account may not patch the target
    Given the workflow's service account may not patch deployments
    When the first execution of "increase-memory" is requested
    Then the first execution fails with "Forbidden"
    And its explanation mentions "kubernaut-workflow-runner"
    And its explanation mentions "apply-memory-increase"
    And it may have changed the cluster

  Scenario: The controller may not start runs
    Given the controller may not start runs
    When the first execution of "increase-memory" is requested
    Then the first execution fails with "Forbidden"
    And its explanation mentions "pipelineruns.tekton.dev is forbidden"
    And it changed nothing in the cluster
    And exactly 0 runs were started on the target
