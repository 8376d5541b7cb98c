"""Where the configuration comes from: defaults, one TOML file, the environment, systemd credentials; the later wins.

What options there are, and all that is known of each, stands in `appliance.config` alone.
"""

from appliance.settings.load import Loaded, load
from appliance.settings.options import OPTIONS, Option
from appliance.settings.show import as_toml

__all__ = ["OPTIONS", "Loaded", "Option", "as_toml", "load"]
