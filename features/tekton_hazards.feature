Feature: Tekton hazards
  Tekton knows the children of a run by their names alone, hangs where a quota leaves no room, and has its resolvers
  judge requests that are not theirs. The controller keeps clear of what it can, and says what it sees of the rest.

  Scenario: A failure left behind under the lock's name is not told as the next one's
    Given the step "kubectl-patch" exits with an error
    And the first execution of "increase-memory" has failed
    When 1 minute passes
    And someone deletes its run but leaves its tasks behind
    And the second execution of "increase-memory" is requested
    Then the second execution fails with "ExecutionRaceCondition"
    And its explanation mentions "had been left behind by an earlier run"
    And its explanation mentions "apply-memory-increase"
    And it ended between 0 seconds and 3 minutes after it was requested
    And no pod of its run has begun to work
    And it changed nothing in the cluster
    And p95 of "PipelineRun finished to noticed" is below 10 seconds

  Scenario: A success left behind under the lock's name completes nothing
    Given the first execution of "restart-deployment" has completed
    When 1 minute passes
    And someone deletes its run but leaves its tasks behind
    And the second execution of "restart-deployment" is requested
    Then the second execution fails with "ExecutionRaceCondition"
    And its explanation mentions "no task of this run was executed"
    And it ended between 0 seconds and 10 minutes after it was requested
    And no pod of its run has begun to work
    And it changed nothing in the cluster
    When someone deletes what was left behind
    And the lock is released
    And the third execution of "restart-deployment" is requested
    Then the third execution completes
    And exactly 3 runs were started on the target

  Scenario: The pod of a deleted run is still dying when the next run begins
    Given the step "kubectl-get" never ends
    And the first execution of "increase-memory" is at work
    And a log collector holds its pods
    And 10 seconds pass
    When someone deletes its run without waiting for its pods
    And the second execution of "increase-memory" is requested
    Then the first execution fails with "Unknown"
    And its explanation mentions "PipelineRun was deleted externally"
    And it may have changed the cluster
    And the second execution fails with "TaskFailed"
    And its explanation mentions "the dying pod of an earlier run"
    And its explanation mentions "137"
    And it ended between 0 seconds and 20 minutes after it was requested
    And no pod of its run has begun to work
    And it may have changed the cluster
    And p95 of "PipelineRun finished to noticed" is below 10 seconds

  Scenario: The controller itself gives the lock's name free only when the last pod is gone
    Given the first execution of "restart-deployment" has completed
    And a log collector holds its pods
    When 6 minutes pass
    And the second execution of "restart-deployment" is requested
    And 1 minute passes
    Then the lock is still held
    And the second execution is waiting for the lock
    When the log collector lets go of its pods
    Then the second execution completes
    And exactly 2 runs were started on the target
    And no two runs worked on the target at the same time

  Scenario: Tekton's resolvers restart while a bundle is fetched
    Given the registry does not answer
    When Tekton's resolvers restart while the bundle of the first execution of "restart-deployment" is fetched
    Then the first execution fails with "ConfigurationError"
    And its explanation mentions "nothing is wrong with the workflow"
    And it changed nothing in the cluster
    And p95 of "hazard to terminal" is below 30 seconds
    When the registry answers again
    And the lock is released
    And the second execution of "restart-deployment" is requested
    Then the second execution completes

  Scenario: A quota leaves no room for pods until it is raised
    Given a quota leaves no room for pods
    And an execution may take 2 hours
    When the first execution of "restart-deployment" is requested
    And 9 minutes 30 seconds pass
    Then the first execution is still running
    And no pod of its run has begun to work
    When the quota is raised
    Then the first execution completes
    And it ended between 9 minutes 30 seconds and 20 minutes after that
    And exactly 1 run was started on the target

  Scenario: A quota leaves no room for pods until the time is over
    Given a quota leaves no room for pods
    And an execution may take 5 minutes
    When the first execution of "restart-deployment" is requested
    Then the first execution fails with "ResourceExhausted" or "DeadlineExceeded"
    And its explanation mentions "restart"
    And it ended between 4 minutes 59 seconds and 20 minutes after its run was made
    And it changed nothing in the cluster

  Scenario: A pod that is removed by force is begun again, and nobody is told
    Given the first execution of "restart-deployment" is at work
    When someone removes its pod by force
    Then the first execution completes
    And it ended between 1 second and 10 minutes after that
    And the work of one task was begun twice
    And exactly 1 run was started on the target
    And no two runs worked on the target at the same time

  Scenario: A quota leaves no room for tasks, and the end of the time is noticed late
    Given a quota leaves no room for TaskRuns
    And an execution may take 5 minutes
    When the first execution of "restart-deployment" is requested
    Then the first execution fails with "DeadlineExceeded"
    And it ended between 5 minutes and 10 minutes after its run was made
    And no pod of its run has begun to work
    And it changed nothing in the cluster
