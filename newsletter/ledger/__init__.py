"""The only writer of Issue, Placement, Delivery and Batch state: a transition is one function, in one transaction."""
