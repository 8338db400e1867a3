"""What people ask of the product, answered in one place for pages and commands: campaigns, runs, people, health.

Everything in here only reads: the ledger, the project's files, and where it is said so the warehouse or Facebook. Answers are
frozen values that go to JSON; their texts are plain, and whoever shows them makes them harmless. Nothing looks at the clock.
"""
