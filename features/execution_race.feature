Feature: Execution race
  Two may reach for the same target at the same instant, a controller may die between any two calls, and a
  reply may be lost on its way. The lock decides, and nothing is ever started twice.

  Scenario: The controller restarts while its run works
    Given the first execution of "increase-memory" is running
    When the controller crashes and restarts
    Then the first execution completes
    And exactly 1 run was started on the target

  Scenario: The reply to the start of the run is lost
    Given the reply to the start of the next run is lost
    When the first execution of "increase-memory" is requested
    Then the first execution completes
    And exactly 1 run was started on the target

  Scenario: Two executions are requested at the same instant
    When two executions of "increase-memory" are requested at the same instant
    Then one execution completes and the other fails with "ExecutionRaceCondition"
    And exactly 1 run was started on the target
    And no two runs worked on the target at the same time

  Scenario: The holder of the lock is just being deleted
    Given the first execution of "increase-memory" is at work
    When the first execution is withdrawn
    And the second execution of "increase-memory" is requested
    Then the second execution completes
    And exactly 2 runs were started on the target
    And no two runs worked on the target at the same time
    And p95 of "creation to running" is below 120 seconds
