"""Tables and partial metadata: the same objects as people and garbage collectors read them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asking import PARTIAL, TABLE, Client
from core_world import WIDGET_DEFINITION, World

from sim.apiserver.tables.ages import human_duration, since
from sim.apiserver.tables.columns import COLUMNS
from sim.apiserver.tables.jsonpath import compiled
from sim.apiserver.tables.podcells import pod_cells
from sim.apiserver.tables.table import Tabulator
from sim.apiserver.watch import Stream

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Client:
    return Client(world.server)


def _pod(status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    containers = [{"name": "a"}, {"name": "b"}]
    return {
        "metadata": {"name": "p", "creationTimestamp": None},
        "spec": {"containers": containers, **spec},
        "status": status,
    }


def _state(name: str, ready: bool = False, restarts: int = 0, **state: Any) -> dict[str, Any]:
    return {"name": name, "ready": ready, "restartCount": restarts, "state": state}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (330, "5m30s"),
        (10 * 60 + 5, "10m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 61, "3h1m"),
        (9 * 3600 + 61, "9h"),
        (47 * 3600, "47h"),
        (50 * 3600, "2d2h"),
        (20 * 86400, "20d"),
        (800 * 86400, "2y70d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_ages_are_told_as_finely_as_it_matters(seconds: int, text: str) -> None:
    assert human_duration(seconds) == text


def test_an_age_without_a_time_is_unknown() -> None:
    assert since(None, NOW) == "<unknown>"
    assert since("soon", NOW) == "<invalid>"
    assert since((NOW - timedelta(minutes=5)).isoformat(), NOW) == "5m"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".a.b", ["x"]),
        (".list[1].name", ["two"]),
        (".list[-1].name", ["two"]),
        (".list[*].name", ["one", "two"]),
        ('.list[?(@.name=="two")].value', [2]),
        (".list[?(@.name!='two')].value", [1]),
        (".labels.app\\.kubernetes\\.io/name", ["web"]),
        (".labels['app.kubernetes.io/name']", ["web"]),
        (".nowhere.else", []),
    ],
)
def test_paths_of_columns_find_what_they_say(path: str, found: list[Any]) -> None:
    document = {
        "a": {"b": "x"},
        "list": [{"name": "one", "value": 1}, {"name": "two", "value": 2}],
        "labels": {"app.kubernetes.io/name": "web"},
    }
    find = compiled(path)
    assert find is not None
    assert find(document) == found


def test_a_path_of_another_form_is_none() -> None:
    assert compiled("a.b") is None


@pytest.mark.parametrize(
    ("pod", "cells"),
    [
        (_pod({"phase": "Pending"}), ["0/2", "Pending", "0"]),
        (
            _pod(
                {
                    "phase": "Running",
                    "containerStatuses": [
                        _state("a", True, 2, running={}),
                        _state("b", waiting={"reason": "CrashLoopBackOff"}),
                    ],
                }
            ),
            ["1/2", "CrashLoopBackOff", "2"],
        ),
        (
            _pod(
                {
                    "phase": "Running",
                    "conditions": [{"type": "Ready", "status": "True"}],
                    "containerStatuses": [
                        _state("a", terminated={"reason": "Completed", "exitCode": 0}),
                        _state("b", True, running={}),
                    ],
                }
            ),
            ["1/2", "Running", "0"],
        ),
        (
            _pod(
                {"phase": "Pending", "initContainerStatuses": [_state("i", running={})]}, initContainers=[{"name": "i"}]
            ),
            ["0/2", "Init:0/1", "0"],
        ),
        (
            _pod(
                {"phase": "Pending", "initContainerStatuses": [_state("i", terminated={"exitCode": 3})]},
                initContainers=[{"name": "i"}],
            ),
            ["0/2", "Init:ExitCode:3", "0"],
        ),
        (
            _pod({"phase": "Failed", "containerStatuses": [_state("a", terminated={"exitCode": 137, "signal": 9})]}),
            ["0/2", "Signal:9", "0"],
        ),
        (_pod({"phase": "Failed", "reason": "Evicted"}), ["0/2", "Evicted", "0"]),
    ],
)
def test_a_pods_state_is_one_word(pod: dict[str, Any], cells: list[str]) -> None:
    assert pod_cells(pod, NOW)[1:4] == cells


def test_a_pod_that_is_being_deleted_says_so() -> None:
    pod = _pod({"phase": "Running"})
    pod["metadata"]["deletionTimestamp"] = "2026-01-05T08:00:00Z"
    assert pod_cells(pod, NOW)[2] == "Terminating"


def test_a_list_becomes_a_table_of_partial_rows(world: World, client: Client) -> None:
    world.create(world.configmaps, "a", data={"x": "1", "y": "2"})
    table = client.get(CONFIGMAPS, accept=TABLE)
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    row = table["rows"][0]
    assert row["cells"] == ["a", 2, "0s"]
    assert row["object"]["kind"] == "PartialObjectMetadata"
    assert table["metadata"]["resourceVersion"]


@pytest.mark.parametrize(("include", "kind"), [("Object", "ConfigMap"), ("Metadata", "PartialObjectMetadata")])
def test_rows_carry_as_much_of_the_object_as_is_wanted(world: World, client: Client, include: str, kind: str) -> None:
    world.create(world.configmaps, "a")
    table = client.get(CONFIGMAPS, accept=TABLE, includeObject=include)
    assert table["rows"][0]["object"]["kind"] == kind
    assert client.get(CONFIGMAPS, accept=TABLE, includeObject="None")["rows"][0]["object"] is None


def test_a_page_of_a_table_says_how_it_goes_on(world: World, client: Client) -> None:
    for name in "abc":
        world.create(world.configmaps, name)
    table = client.get(CONFIGMAPS, accept=TABLE, limit="2")
    assert len(table["rows"]) == 2
    assert (table["metadata"]["remainingItemCount"], bool(table["metadata"]["continue"])) == (1, True)


def test_a_custom_kind_without_columns_shows_its_age(world: World, client: Client) -> None:
    world.create(world.widgets, "w", spec={})
    table = client.get("/apis/example.com/v1/namespaces/default/widgets/w", accept=TABLE)
    assert [(one["name"], one["type"]) for one in table["columnDefinitions"]] == [("Name", "string"), ("Age", "date")]
    assert table["rows"][0]["cells"] == ["w", "0s"]


def test_columns_of_a_definition_show_values_of_their_type() -> None:
    version = WIDGET_DEFINITION["spec"]["versions"][0]
    columns = [
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size", "priority": 1},
        {"name": "Note", "type": "string", "jsonPath": ".spec.note"},
        {"name": "Whole", "type": "string", "jsonPath": ".spec"},
        {"name": "Odd", "type": "boolean", "jsonPath": ".spec.size"},
    ]
    spec = {**WIDGET_DEFINITION["spec"], "group": "other.example.com"}
    spec["versions"] = [{**version, "additionalPrinterColumns": columns}]
    world = World()
    other = world.server.install_crd(
        {**WIDGET_DEFINITION, "metadata": {"name": "widgets.other.example.com"}, "spec": spec}
    )
    world.create(other, "w", spec={"size": 3})
    table = Client(world.server).get("/apis/other.example.com/v1/namespaces/default/widgets", accept=TABLE)
    assert [one["priority"] for one in table["columnDefinitions"]] == [0, 1, 0, 0, 0]
    assert table["rows"][0]["cells"] == ["w", 3, None, '{"size":3}', None]


def test_the_kinds_without_columns_say_when_they_were_created(world: World, client: Client) -> None:
    table = client.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", accept=TABLE)
    assert [one["name"] for one in table["columnDefinitions"]] == ["Name", "Created At"]
    assert table["rows"][0]["cells"] == ["widgets.example.com", world.server.clock.timestamp()]


@pytest.mark.parametrize("key", sorted(COLUMNS))
def test_a_row_has_a_cell_for_every_column_however_little_the_object_says(key: str) -> None:
    bare = {"kind": "Any", "metadata": {"name": "x"}}
    table = Tabulator(key, None, lambda: NOW).table(bare, "v1", "None", None)
    assert len(table["rows"][0]["cells"]) == len(table["columnDefinitions"])


def test_a_watch_of_tables_names_its_columns_once(world: World, client: Client) -> None:
    answer = client.ask("GET", CONFIGMAPS, accept=TABLE, watch="true", resourceVersion="0")
    assert isinstance(answer.body, Stream)
    world.create(world.configmaps, "a")
    world.create(world.configmaps, "b")
    first, second = answer.body.take()
    assert first.object["kind"] == "Table"
    assert [one["name"] for one in first.object["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert second.object["columnDefinitions"] is None
    assert second.object["rows"][0]["cells"][0] == "b"
    answer.body.close()
    assert answer.body.ended


def test_a_coroutine_reads_a_watch_of_partial_objects(world: World, client: Client) -> None:
    answer = client.ask("GET", CONFIGMAPS, accept=PARTIAL, watch="true", resourceVersion="0")
    stream = answer.body
    assert isinstance(stream, Stream)
    world.create(world.configmaps, "a", data={"x": "1"})
    events = world.run(stream.__anext__())
    assert [(one.type, set(one.object)) for one in events] == [("ADDED", {"kind", "apiVersion", "metadata"})]


def test_partial_metadata_is_refused_for_the_other_shape(world: World, client: Client) -> None:
    world.create(world.configmaps, "a")
    refused = client.ask("GET", CONFIGMAPS, accept=PARTIAL)
    assert refused.status == 406
    assert isinstance(refused.body, dict)
    assert refused.body["message"].endswith("the requested object is a list (*core.ConfigMapList)")
    single = client.ask("GET", f"{CONFIGMAPS}/a", accept=PARTIAL.replace("Metadata", "MetadataList"))
    assert isinstance(single.body, dict)
    assert single.body["message"].endswith("the requested object is not a list (*core.ConfigMap)")


def test_an_unknown_representation_falls_back_to_what_else_is_accepted(client: Client) -> None:
    gizmo = "application/json;as=Gizmo;v=v1;g=meta.k8s.io"
    assert client.ask("GET", CONFIGMAPS, accept=gizmo).status == 406
    assert client.get(CONFIGMAPS, accept=f"{gizmo},application/json")["kind"] == "ConfigMapList"


def test_yaml_is_spelled_as_go_spells_it(world: World, client: Client) -> None:
    world.create(world.configmaps, "a", data={"on": "1", "text": "two\nlines\n", "y": "it's"})
    answer = client.ask("GET", f"{CONFIGMAPS}/a", accept="application/yaml")
    assert answer.headers["content-type"] == "application/yaml"
    assert isinstance(answer.body, str)
    assert answer.body.startswith(
        'apiVersion: v1\ndata:\n  "on": "1"\n  text: |\n    two\n    lines\n  "y": it\'s\nkind: ConfigMap\n'
    )
    refused = client.ask("GET", f"{CONFIGMAPS}/none", accept="application/yaml")
    assert (refused.status, refused.headers["content-type"]) == (404, "application/yaml")
