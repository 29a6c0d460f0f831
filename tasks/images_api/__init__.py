"""The only code that can spend money: one request for each order, kept and settled."""
