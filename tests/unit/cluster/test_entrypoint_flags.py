"""The flags of Tekton's entrypoint as a kubelet finds them in a container."""

import pytest

from sim.cluster.entrypoint import Entrypoint, message, read


def test_flags_end_where_the_steps_own_command_begins() -> None:
    container = {
        "name": "step-a",
        "command": ["/tekton/bin/entrypoint"],
        "args": [
            *("-wait_file", "/tekton/downward/ready", "-wait_file_content", "-post_file", "/tekton/run/0/out"),
            *("-timeout", "1m30s", "-on_error", "continue", "-entrypoint", "sh", "--", "-timeout", "5s"),
        ],
    }
    assert read(container) == Entrypoint("/tekton/downward/ready", True, "/tekton/run/0/out", 90_000_000, True)


def test_a_timeout_of_zero_is_none() -> None:
    entry = read({"command": ["/tekton/bin/entrypoint"], "args": ["-timeout", "0s", "-on_error", "stopAndFail"]})
    assert entry == Entrypoint("", False, "", None, False)


@pytest.mark.parametrize("command", [{}, {"command": ["sh"]}, {"command": ["/bin/my-entrypoint"]}])
def test_anything_else_is_no_entrypoint(command: dict[str, list[str]]) -> None:
    assert read(command) is None


def test_a_message_is_compact_json_in_the_entrypoints_order() -> None:
    said = message("T", reason="TimeoutExceeded", exit_code=3, results=(("r", 'a"b'),))
    assert said == (
        '[{"key":"r","value":"a\\"b","type":1},{"key":"StartedAt","value":"T","type":3},'
        '{"key":"Reason","value":"TimeoutExceeded","type":3},{"key":"ExitCode","value":"3","type":3}]'
    )
