from hypothesis import given
from hypothesis import strategies as st

from reports.text import clean, clean_lines


def test_control_characters_and_reading_direction_marks_do_not_pass() -> None:
    assert clean("a\x1b[31mb\x00c\u202ed") == "a\ufffd[31mb\ufffdc\ufffdd"


def test_text_is_cut_with_an_ellipsis() -> None:
    assert clean("x" * 1000, 10) == "x" * 9 + "…"
    assert clean_lines("y" * 1000, 10) == "y" * 9 + "…"
    assert clean("x" * 10, 10) == "x" * 10


def test_a_name_is_one_line_and_a_message_keeps_its_lines() -> None:
    assert clean(" a\r\n b\tc ") == "a b c"
    assert clean_lines("a\r\nb\tc") == "a\nb\tc"


@given(st.text(), st.integers(1, 50))
def test_whatever_comes_fits_and_is_allowed_in_xml(text: str, limit: int) -> None:
    for cleaned in (clean(text, limit), clean_lines(text, limit)):
        assert len(cleaned) <= limit
        assert all(char in "\t\n" or (char >= " " and char not in "\ufffe\uffff") for char in cleaned)
