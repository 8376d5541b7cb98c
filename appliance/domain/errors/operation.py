"""Errors that a sysadmin meets: the configuration, the installation, and commands on the terminal."""

from appliance.domain.errors.base import ApplianceError


class ConfigError(ApplianceError):
    """The configuration has errors; `detail` has a line for each."""

    code = "invalid-configuration"
    title = "The configuration has errors"


class DataDirectoryLocked(ApplianceError):
    """Another process is using the data directory."""

    code = "data-directory-locked"
    title = "The data directory is in use"


class UnfitInstallation(ApplianceError):
    """Something that the server needs is missing or too old."""

    code = "unfit-installation"
    title = "The installation is incomplete or too old"


class ServerNotRunning(ApplianceError):
    """No server listens on the control socket of the data directory."""

    code = "server-not-running"
    title = "The server is not running"


class CommandFailed(ApplianceError):
    """A command on the terminal could not be completed."""

    code = "command-failed"
    title = "The command failed"
