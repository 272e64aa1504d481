"""Cases: what exactly is affected, who has it, who is told, and how a case lives from draft to closed."""
