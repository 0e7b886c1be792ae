"""Derived names: they fit a DNS label and are the same every time."""

import pytest

from sim.tekton.names import child_name, pod_name, resolution_request_name, task_run_name

MD5_OF_63_A = "b06521f39153d618550606be297466d5"


@pytest.mark.parametrize(
    ("parent", "suffix", "name"),
    [
        ("run", "-task", "run-task"),
        ("a" * 52, "-deployment", "a" * 52 + "-deployment"),
        ("a" * 63, "-deployment", "a" * 20 + MD5_OF_63_A + "-deployment"),
        ("a" * 63, "-deploy", "a" * 24 + MD5_OF_63_A + "-deploy"),
    ],
)
def test_a_child_name_is_the_parents_with_a_digest_where_it_would_be_too_long(
    parent: str, suffix: str, name: str
) -> None:
    assert child_name(parent, suffix) == name


@pytest.mark.parametrize("suffix", ["-x" * 20, "-" + "y" * 61])
def test_a_long_suffix_still_gives_a_valid_label(suffix: str) -> None:
    name = child_name("p" * 40, suffix)
    assert len(name) <= 63
    assert name[-1].isalnum()
    assert name.startswith("p" * 31)


def test_retries_have_pods_of_their_own() -> None:
    run = task_run_name("wfe-804f3194fe422f46", "run")
    assert pod_name(run, 0) == "wfe-804f3194fe422f46-run-pod"
    assert pod_name(run, 2) == "wfe-804f3194fe422f46-run-pod-retry2"


def test_a_resolution_request_is_named_after_who_asks_for_what_whatever_the_order() -> None:
    params = [
        {"name": "bundle", "value": "127.0.0.1:44313/kubernaut/wf:v9"},
        {"name": "name", "value": "workflow"},
        {"name": "kind", "value": "pipeline"},
    ]
    for order in (params, params[::-1]):
        name = resolution_request_name("bundles", "kubernaut-workflows", "wfe-39df312e2793f99d", order)
        assert name == "bundles-060e811949f2a19b63eb2159b625a936"  # recorded
