"""Images that are slow, refused or absent, and the back-off of the kubelet."""

from itertools import pairwise

import pytest
from cluster_stage import SECOND, Stage, recorded, step, task_spec

from sim.cluster.behaviour import Behaviour
from sim.cluster.images import Catalogue, Image, absent, back_off_us, unauthorised, unreachable
from sim.workload.distributions import Constant

TOOL = "reg.local/tool:1"
NOT_FOUND = (
    f'rpc error: code = NotFound desc = failed to pull and unpack image "{TOOL}": '
    f'failed to resolve reference "{TOOL}": {TOOL}: not found'
)


def waiting(stage: Stage, container: str = "step-a") -> tuple[str, str]:
    status = stage.pod()["status"]
    statuses = [*status["initContainerStatuses"], *status["containerStatuses"]]
    state = next(one["state"] for one in statuses if one["name"] == container)
    return state["waiting"]["reason"], state["waiting"].get("message", "")


def stage_with(image: Image, reference: str = TOOL) -> Stage:
    return Stage({"step-a": Behaviour(duration_us=SECOND)}, options=recorded(images=Catalogue({reference: image})))


def test_an_absent_image_backs_off_in_the_runtimes_words() -> None:
    stage = stage_with(absent(TOOL))
    stage.create_task("a")
    stage.run(2)
    assert waiting(stage) == ("ErrImagePull", NOT_FOUND)
    stage.run(2)
    assert waiting(stage) == ("ImagePullBackOff", f'Back-off pulling image "{TOOL}": ErrImagePull: {NOT_FOUND}')
    assert stage.pod()["status"]["phase"] == "Pending"


def test_the_wait_between_pulls_doubles_to_five_minutes() -> None:
    stage = stage_with(absent(TOOL))
    stage.create_task("a")
    stage.run(1200)
    fails = [int(line.split()[0]) for line in stage.trace() if line.endswith("step-a=waiting:ErrImagePull")]
    gaps = [later - earlier for earlier, later in pairwise(fails)]
    assert gaps == [11_500, 21_500, 41_500, 81_500, 161_500, 301_500, 301_500]
    assert [back_off_us(failures) // SECOND for failures in range(1, 8)] == [10, 20, 40, 80, 160, 300, 300]


def test_an_image_that_appears_is_pulled_at_the_next_attempt() -> None:
    stage = stage_with(absent(TOOL))
    stage.create_task("a")
    stage.run(3)
    stage.models.options.images.images[TOOL] = Image(pull=Constant(2 * SECOND))
    stage.run(60)
    assert stage.trace()[-3:] == [
        "14700 MOD phase=Running Ready=True ContainersReady=True step-a=running",
        "14720 MOD annotated=yes",
        "15720 MOD phase=Succeeded Initialized=True:PodCompleted Ready=False:PodCompleted "
        "ContainersReady=False:PodCompleted step-a=0:Completed",
    ]


def test_a_refusal_names_authorisation() -> None:
    stage = stage_with(unauthorised(TOOL))
    stage.create_task("a")
    stage.run(2)
    assert "pull access denied" in waiting(stage)[1]


def test_an_unreachable_registry_names_its_host() -> None:
    stage = stage_with(unreachable(TOOL))
    stage.create_task("a")
    stage.run(2)
    assert 'Head "https://reg.local/v2/tool/manifests/1": dial tcp: lookup reg.local: no such host' in waiting(stage)[1]


def test_a_name_that_is_no_reference_is_refused_before_any_pull() -> None:
    stage = Stage()
    stage.create(**{**task_spec(), "containers": [{**step(0, "a"), "image": "reg.local/Tool::1"}]})
    stage.run(600)
    assert waiting(stage) == (
        "InvalidImageName",
        'Failed to apply default image tag "reg.local/Tool::1": couldn\'t parse image name "reg.local/Tool::1": '
        "invalid reference format",
    )


@pytest.mark.parametrize(
    "name", ["busybox", "library/busybox:1.36", "reg.local:5000/a/b_c/d-e:v1.2", f"a/b@sha256:{'0' * 64}"]
)
def test_ordinary_references_are_understood(name: str) -> None:
    stage = Stage()
    stage.create(**{**task_spec(), "containers": [{**step(0, "a"), "image": name}]})
    stage.run(60)
    assert stage.state("step-a") == "0:Completed"


def test_an_image_that_no_init_container_can_have_keeps_every_step_waiting() -> None:
    stage = stage_with(absent("reg.local/entry:1"), "reg.local/entry:1")
    stage.create_task("a")
    stage.run(2)
    assert waiting(stage, "prepare")[0] == "ImagePullBackOff"
    assert waiting(stage) == ("PodInitializing", "")
    assert {one["type"]: one["status"] for one in stage.pod()["status"]["conditions"]}["Initialized"] == "False"


def test_one_missing_image_does_not_keep_the_other_steps_from_running() -> None:
    stage = stage_with(absent("reg.local/other:1"), "reg.local/other:1")
    stage.create(**{**task_spec(), "containers": [step(0, "a"), {**step(1, "b"), "image": "reg.local/other:1"}]})
    stage.run(2)
    assert (stage.state("step-a"), waiting(stage, "step-b")[0]) == ("running", "ErrImagePull")
    assert stage.pod()["status"]["phase"] == "Pending"


def test_a_node_pulls_one_image_after_the_other_and_each_only_once() -> None:
    images = Catalogue(default=Image(pull=Constant(4 * SECOND)))
    stage = Stage(options=recorded(images=images), annotate=False)
    for name in ("p", "q"):
        container = {"name": "main", "image": f"reg.local/{name}:1"}
        stage.create(name, restartPolicy="Never", containers=[container])
    stage.create("again", restartPolicy="Never", containers=[{"name": "main", "image": "reg.local/p:1"}])
    stage.run(60)
    begun = {name: next(line for line in stage.trace(name) if "main=running" in line) for name in ("p", "q", "again")}
    assert [begun[name].split()[0] for name in ("p", "q", "again")] == ["4470", "8470", "4470"]


def test_an_image_on_the_node_needs_no_registry_unless_the_policy_is_always() -> None:
    stage = stage_with(Image(cached=True))
    stage.create_task("a")
    stage.run(10)
    stage.models.options.images.images[TOOL] = absent(TOOL)
    stage.create_task("a", name="present")
    spec = {**task_spec(), "containers": [{**step(0, "a"), "imagePullPolicy": "Always"}]}
    stage.create("always", **spec)
    stage.run(5)
    assert stage.state("step-a", "present") == "0:Completed"
    assert stage.state("step-a", "always").startswith("waiting:")


def test_an_image_that_may_not_be_pulled_is_reported_missing() -> None:
    stage = Stage(options=recorded(images=Catalogue({TOOL: Image()})))
    stage.create(**{**task_spec(), "containers": [{**step(0, "a"), "imagePullPolicy": "Never"}]})
    stage.run(10)
    assert waiting(stage) == (
        "ErrImageNeverPull",
        f'Container image "{TOOL}" is not present with pull policy of Never',
    )
