"""The pages: each a function of a visit and the services, which returns blocks. No HTTP."""
