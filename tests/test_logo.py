"""The logo of the documentation."""

from xml.etree import ElementTree

from tests.conftest import ROOT


def test_the_logo_is_a_small_drawing_without_scripts_and_references() -> None:
    drawing = (ROOT / "docs" / "logo.svg").read_bytes()
    assert len(drawing) < 1500
    elements = list(ElementTree.fromstring(drawing).iter())  # noqa: S314 (our own file)
    assert {each.tag.rpartition("}")[2] for each in elements} <= {"svg", "g", "rect", "path"}
    assert not any("href" in name or name.startswith("on") for each in elements for name in each.attrib)
