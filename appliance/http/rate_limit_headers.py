"""The RateLimit headers of a refusal (draft-ietf-httpapi-ratelimit-headers): structured fields, one policy each."""

from appliance.domain.quotas import Policy, Unit


def rate_limit_headers(policy: Policy, left: int, reset_s: int) -> dict[str, str]:
    """The policy, and what is left of it for this client: more only after `reset_s` seconds."""
    unit = "" if policy.unit is Unit.REQUESTS else f';qu="{policy.unit}"'
    return {
        "RateLimit-Policy": f'"{policy.name}";q={policy.quota};w={policy.window_s}{unit}',
        "RateLimit": f'"{policy.name}";r={left};t={reset_s}',
    }
