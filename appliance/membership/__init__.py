"""This server as a node: it joins those that share its catalogue and its store, shows that it is alive, and leaves."""

from appliance.membership.membership import Membership

__all__ = ["Membership"]
