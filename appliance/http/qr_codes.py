"""Links as QR codes, for opening them on a phone."""

import base64
import io

import segno


def qr_svg(link: str) -> bytes:
    """The code as SVG, on white in every theme."""
    drawn = io.BytesIO()
    segno.make(link, error="m", micro=False).save(
        drawn, kind="svg", border=4, light="#fff", xmldecl=False, omitsize=True
    )
    return drawn.getvalue()


def qr_data_url(link: str) -> str:
    """The code as an address that holds the drawing itself, so that the link is in no other request."""
    return f"data:image/svg+xml;base64,{base64.b64encode(qr_svg(link)).decode()}"
