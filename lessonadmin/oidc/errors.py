"""What can be wrong with a provider. The words are for the log and for operators; people get a page and a reference."""


class ProviderAway(Exception):
    """It did not answer, or not in time: another try may work."""


class ProviderWrong(Exception):
    """What it said is not to be believed, or not understood."""
