"""The name of the host as pages, link previews and other programs show it."""

from appliance.config.model import Config

DEFAULT_NAME = "Image host"


def site_name(config: Config) -> str:
    """The configured name, else the host name of the public URL, else a neutral default."""
    if config.site.name is not None:
        return config.site.name
    if config.server.public_url is None:
        return DEFAULT_NAME
    return config.server.base_url.partition("://")[2].partition("/")[0]
