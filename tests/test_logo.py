"""The server shows its logo to clients, which is also in the documentation."""

from base64 import b64decode
from xml.etree import ElementTree

from mcp import Client

from mcp_server.server import icon
from tests.conftest import ROOT

LOGO = ROOT / "mcp_server" / "data" / "logo.svg"


def test_the_logo_is_a_small_drawing_without_scripts_and_references() -> None:
    drawing = LOGO.read_bytes()
    assert len(drawing) < 1500
    assert drawing == (ROOT / "docs" / "logo.svg").read_bytes()
    elements = list(ElementTree.fromstring(drawing).iter())  # noqa: S314 (our own file)
    assert {each.tag.rpartition("}")[2] for each in elements} <= {"svg", "g", "rect", "path"}
    assert not any("href" in name or name.startswith("on") for each in elements for name in each.attrib)


async def test_only_the_server_has_the_logo_as_its_icon(client: Client) -> None:
    assert client.server_info is not None
    (shown,) = client.server_info.icons or []
    assert shown == icon()
    head, _, data = shown.src.partition(",")
    assert head == "data:image/svg+xml;base64"
    assert b64decode(data) == LOGO.read_bytes().strip()
    assert not any(tool.icons for tool in (await client.list_tools()).tools)
