"""Jobs: submitted, listed, stopped, and limited by the policy."""
