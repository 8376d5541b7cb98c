"""Section `access`: who may upload. Everybody may view what they have a link to."""

from dataclasses import dataclass, field

from appliance.config.option_info import info

ANYONE, KEY, SIGNED_IN = "anyone", "key", "signed-in"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may upload."""

    uploads: tuple[str, ...] = field(
        default=(ANYONE,),
        metadata=info(
            "Who may upload: `anyone`, holders of an access `key`, people who are `signed-in` by `user_header`.",
            choices=(ANYONE, KEY, SIGNED_IN),
        ),
    )
    user_header: str | None = field(
        default=None,
        metadata=info(
            "The header in which a trusted proxy names the person it has signed in, such as `Remote-User`. The proxy "
            "must remove it from requests of others."
        ),
    )
    sign_in_url: str | None = field(
        default=None,
        metadata=info(
            "Where pages lead people who have to sign in: a path of this host, such as `/oauth2/sign_in`, or a URL."
        ),
    )
