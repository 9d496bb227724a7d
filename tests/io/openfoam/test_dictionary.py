"""Dictionaries: entries, macros and includes as OpenFOAM understands them; code is never run."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoop.errors import GeoopError, UnreadableFileError, UnsupportedFormatError
from geoop.io.openfoam.dictionary import Dictionary, load, parse

HEAD = "FoamFile { version 2.0; format ascii; class dictionary; object d; }\n"


def dictionary(text: str, path: Path = Path("/case/0/d")) -> Dictionary:
    return Dictionary.of(parse(path, (HEAD + text).encode()))


def test_entries_comments_and_strings():
    found = dictionary('a 1; /* b 2; } */ b "x; } // y"; // c 3;\nd { e (1 2; 3); } div(phi,U) Gauss linear; "quoted" 7;')
    assert found.keys() == ["a", "b", "d", "div(phi,U)", "quoted"] and found.word("b") == "x; } // y"
    assert found.word("div(phi,U)") == "Gauss linear" and found.word("none", "otherwise") == "otherwise"
    assert found.sub("a") is None and found.sub("d") is not None


@pytest.mark.parametrize(
    ("value", "expected"),
    [("$a", "1"), ("uniform (${a} $:top.b 0)", "uniform (1 2 0)"), ("$.a", "1"), ("$..outer", "9"), ("$chain", "1"), ("$top.b", "2")],
)
def test_macros(value, expected):
    found = dictionary(f"outer 9; top {{ b 2; }} first {{ second {{ a 1; chain $a; value {value}; }} }}")
    first = found.sub("first")
    second = first.sub("second") if first else None
    assert second is not None and second.word("value") == expected


@pytest.mark.parametrize("value", ['#calc "1 + 1"', "#codeStream { code #{ exit(1); #}; }", "#eval{ 2*3 }", "$nowhere", "$loop"])
def test_what_would_have_to_be_executed_is_refused(value):
    with pytest.raises(UnsupportedFormatError):
        dictionary(f"loop $pool; pool $loop; value {value};").value("value")


def test_later_entries_win_and_dictionaries_join():
    found = dictionary("a 1; a 2; d { x 1; y 1; } d { y 2; } base { p 5; } derived { $base; q 6; } third { ${derived} }")
    joined, derived = found.sub("d"), found.sub("third")
    assert found.word("a") == "2" and joined and (joined.word("x"), joined.word("y")) == ("1", "2")
    assert derived and (derived.word("p"), derived.word("q")) == ("5", "6")


def test_patches_are_found_by_name_then_group_then_last_pattern():
    found = dictionary('".*" { n all; } "in.*" { n pattern; } inlet { n name; } wall { n group; }')
    names = {patch: found.matching(patch, groups) for patch, groups in (("inlet", ()), ("inner", ()), ("body", ("wall",)), ("other", ()))}
    assert {patch: item.word("n") for patch, item in names.items() if item} == {"inlet": "name", "inner": "pattern", "body": "group", "other": "all"}


def test_includes_stay_inside_of_the_case(tmp_path):
    case = tmp_path / "case"
    (case / "0").mkdir(parents=True)
    (case / "0" / "values").write_text("speed 12;")
    (tmp_path / "secret").write_text("speed 13;")
    (case / "0" / "d").write_text(HEAD + '#include "${FOAM_CASE}/0/values"\nvalue $speed;')
    assert Dictionary.of(load(case / "0" / "d"), case).word("value") == "12"
    (case / "0" / "d").write_text(HEAD + '#include "../../secret"\n#includeEtc "caseDicts/x"\n#includeIfPresent "no"\nvalue 1;')
    found = Dictionary.of(load(case / "0" / "d"), case)
    assert found.word("value") == "1" and "speed" not in found and found.missing == ["#include ../../secret", "#includeEtc caseDicts/x"]


@pytest.mark.parametrize("text", ["a { b 1;", "a 1", "a (1 2;", 'a "b;', "a 1; }", "{ }", "a { " * 60, "a List<scalar> 3(1 2;", "a #{ x"])
def test_damaged_dictionaries(text):
    with pytest.raises(UnreadableFileError):
        dictionary(text)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='ab1 ;{}()"$#/*\n.<>List', max_size=60))
def test_any_text_is_a_dictionary_or_an_error(text):
    try:
        found = dictionary(text)
        for key in found.entries:
            found.word(key)
    except GeoopError:
        pass


def test_headers(tmp_path):
    path = tmp_path / "f"
    for data, message in ((b"", "empty"), (b"FoamFile { version 2.0;", "no end")):
        path.write_bytes(data)
        with pytest.raises(UnreadableFileError, match=message):
            load(path)
    with pytest.raises(UnreadableFileError, match="cannot be opened"):
        load(tmp_path / "nothing")
    found = parse(path, b'FoamFile { format binary; arch "LSB;label=64;scalar=32"; class labelList; }\n// c\n 0')
    assert (found.layout.binary, found.layout.label, found.layout.scalar, found.kind) == (True, 8, 4, "labelList")
    assert found.data[found.start :] == b"0"


@pytest.mark.parametrize("comment", ["// }", "/* } */", "// { ; }", '/* " } */'])
def test_braces_in_comments_of_the_header(tmp_path, comment):
    data = f"// }}\nFoamFile\n{{ {comment}\n format binary; {comment}\n class labelList;\n{comment}\n}}\n{comment}\n 0".encode()
    found = parse(tmp_path / "f", data)
    assert found.layout.binary and found.kind == "labelList" and data[found.start :] == b"0"
    assert found.header is not None and found.header.raw.count(comment.encode()) == 3
