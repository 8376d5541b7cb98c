"""Limits: how much of what everybody shares one client may use. Rates are kept in memory, a day's amounts on disk."""

from appliance.limits.day_budgets import DayBudgets
from appliance.limits.day_tally import DayTally
from appliance.limits.key_uploads import KeyUploads
from appliance.limits.limit_switch import LimitSwitch
from appliance.limits.limits import Limits
from appliance.limits.processor_budget import ProcessorBudget
from appliance.limits.proof_of_work import ProofOfWork
from appliance.limits.rates import Rate
from appliance.limits.sealed_addresses import SealedAddresses

__all__ = [
    "DayBudgets",
    "DayTally",
    "KeyUploads",
    "LimitSwitch",
    "Limits",
    "ProcessorBudget",
    "ProofOfWork",
    "Rate",
    "SealedAddresses",
]
