"""Made-up designs and subscribers for the property of the tracing compiler, and its judge.

Everything is drawn from a `random.Random` with a seed, so that a failure is one number.
"""
