"""What people see: sentences, pictures and the page of a plan."""
