"""Laws under which deep drops are common, and their mixture."""
