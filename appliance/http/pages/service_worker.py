"""The script of the service worker: the built one, after the page that it shows when the host can't be reached.

The page is part of the script, so the worker needs no cache; and browsers fetch the script again when the page changes.
"""

from appliance.domain.upload_options import MAX_TITLE_CHARS
from appliance.http.pages.assets import BUILT, Assets
from appliance.http.responses import PAGE_POLICY, json_bytes

WORKER_POLICY = "default-src 'none'; connect-src 'self'"
"""The worker may ask this host, and load nothing."""


def worker_script(assets: Assets, offline_page: str) -> bytes:
    """The script with `offline_page`, an HTML document. Raises KeyError when scripts aren't built."""
    given = {
        "applianceOfflinePage": {"html": offline_page, "policy": PAGE_POLICY},
        "applianceMaxTitle": MAX_TITLE_CHARS,
    }
    defined = b"".join(b"self.%s=%s;\n" % (name.encode(), json_bytes(value)) for name, value in given.items())
    return defined + assets[f"{BUILT}/service-worker.js"].data
