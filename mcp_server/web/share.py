"""The page of a shared setup, as one file with its styles in it."""

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256

from markupsafe import Markup

from mcp_server.models.setup import SetupShown
from mcp_server.web import chart
from mcp_server.web.render import STYLE, STYLE_HASH, TEMPLATES

# Shows the button, which does nothing without a script.
SCRIPT = 'const b=document.getElementById("print");b.hidden=false;b.onclick=()=>print()'
SCRIPT_HASH = f"sha256-{b64encode(sha256(SCRIPT.encode()).digest()).decode()}"
POLICY = f"default-src 'none'; style-src '{STYLE_HASH}'; base-uri 'none'; form-action 'none'"
INLINE = {"style": Markup(STYLE), "script": Markup(SCRIPT)}  # noqa: S704 (our own)
CLOSED = TEMPLATES.get_template("share_closed.html").render(INLINE)


def policy(*, embedded: bool = False) -> str:
    """Return the Content-Security-Policy of a page. Other sites may only frame the one to embed."""
    ancestors = "*" if embedded else "'none'"
    return f"{POLICY}; script-src '{SCRIPT_HASH}'; frame-ancestors {ancestors}"


def page(
    setup: SetupShown,
    *,
    prices: bool,
    path: str = "",
    expires_at: datetime | None = None,
    embedded: bool = False,
) -> str:
    """Return a page with the totals of a setup and, unless it is *embedded*, its lines.

    Without a *path* of its own, it has no link to a CSV.
    """
    return TEMPLATES.get_template("share.html").render(
        INLINE,
        setup=setup,
        chart=chart.donut_of_setup(setup),
        base=f"base weight {at_least(setup, setup.units.weight(setup.base_grams))}",
        description=description(setup),
        price=chart.at_least(setup.units, "price", setup.price_cents, setup.unpriced),
        prices=prices,
        path=path,
        expires_at=expires_at and f"{expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        embedded=embedded,
    )


def description(setup: SetupShown) -> str:
    """Describe a setup in a line, for the preview of its link."""
    weight = setup.units.weight
    parts = [
        f"Total {at_least(setup, weight(setup.total_grams))}",
        f"worn {weight(setup.worn_grams)}",
        f"consumable {weight(setup.consumable_grams)}",
        chart.counted(setup.items, "line"),
    ]
    return ", ".join(parts)


def at_least(setup: SetupShown, shown: str) -> str:
    return f"at least {shown}" if setup.unweighed else shown
