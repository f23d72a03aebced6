"""The only package that speaks to the provider of single sign-on (OpenID Connect).

It is called at the addresses of its settings and of its own discovery document, over https (on this machine also http), at its own
host and those of OIDC_HOSTS, with an end to every wait and to every body, and no redirect is followed. It knows no account: whose one
it is, `domain/single_sign_on` says.
"""
