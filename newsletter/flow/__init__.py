"""The product, in the order it happens: gather, issue, compile, deliver, report."""
