"""How a difference of scores is written, in sentences and beside the plots: the same figure the same way."""


def show_difference(value: float) -> str:
    """Write a difference with two decimals, or three where two would show nothing, and a minus sign.

    Example:
        >>> show_difference(-0.123), show_difference(0.004), show_difference(0.0)
        ('−0.12', '0.004', '0.000')
    """
    shown = f"{value:.2f}" if round(value, 2) else f"{value:.3f}"
    return shown.replace("-", "−") if float(shown) else "0.000"
