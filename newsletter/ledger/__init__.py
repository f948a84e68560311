"""The only writer of Issue, Placement, Delivery and Batch state: every transition is one function, in one transaction."""
