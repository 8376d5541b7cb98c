"""`appliance serve`: the server, as one process or as several that share the machine."""

import argparse
import os

from appliance.config.load import load
from appliance.observability.logs import start_logging
from appliance.processes.place import ProcessPlace
from appliance.server.systemd import supervisor
from appliance.shared.unix_peers import end_with_parent

PROCESSES_ENV = "APPLIANCE_SERVER_PROCESSES"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--processes",
        metavar="N",
        help="share the machine between so many server processes, instead of server.processes",
    )
    parser.add_argument("--place", type=ProcessPlace.parse, help=argparse.SUPPRESS)  # of one of several processes


def serve(arguments: argparse.Namespace) -> int:
    """Return once the server has stopped. Of several processes this runs in each, and in the one that starts them."""
    place: ProcessPlace | None = arguments.place
    count = {} if arguments.processes is None else {PROCESSES_ENV: arguments.processes}
    config = load(arguments.config, os.environ | count).config
    start_logging(config.server.log_level, process=None if place is None else place.number)
    manager = supervisor(os.environ)
    if place is None and config.server.processes > 1:
        from appliance.processes.group import serve_processes  # noqa: PLC0415 - as below

        return serve_processes(config, arguments.config, manager)
    if place is not None:
        end_with_parent(place.parent)
        manager = place.inherited(manager)
        config = place.share(config, manager)
    from appliance import app  # noqa: PLC0415 - the other commands need not wait for the whole server

    return app.serve(config, manager)
