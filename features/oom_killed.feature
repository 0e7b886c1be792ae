Feature: OOMKilled
  When a step needs more memory than its limit, the execution says so, whatever trace the kernel and
  the kubelet leave of it, and whatever Tekton's own summary omits.

  Scenario Outline: A step runs out of memory and <trace>
    Given the step "kubectl-patch" runs out of memory and <trace>
    When the first execution of "increase-memory" is requested
    Then the first execution fails with "OOMKilled"
    And its explanation mentions "apply-memory-increase"
    And its explanation mentions "memory"
    And it may have changed the cluster
    And p95 of "PipelineRun finished to noticed" is below 10 seconds

    Examples:
      | trace                                  |
      | its container is killed                |
      | only its child process is killed       |
      | its exit code says it went well        |

  Scenario: Preparing the task runs out of memory before any step has started
    Given the step "prepare" runs out of memory before the work starts
    When the first execution of "increase-memory" is requested
    Then the first execution fails with "OOMKilled"
    And its explanation mentions "prepare"
    And it changed nothing in the cluster

  Scenario: A killed step whose cause nobody recorded is not called out of memory
    Given the step "kubectl-patch" runs out of memory and leaves only a kill signal
    When the first execution of "increase-memory" is requested
    Then the first execution fails with "TaskFailed"
    And its explanation mentions "137"
    And it may have changed the cluster
