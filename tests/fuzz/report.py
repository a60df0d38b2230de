"""What the sandbox saw of the fuzzer: every operation must have succeeded at least once, and none failed."""

import json
import os
import sys
import urllib.request

with urllib.request.urlopen(os.environ["SANDBOX_URL"] + "/_sandbox/stats") as answer:
    operations = json.load(answer)["operations"]
calls = sum(operation["calls"] for operation in operations.values())
print(f"fuzz: {len(operations)} operations of the sandbox, {calls} calls")
for name, operation in sorted(operations.items()):
    statuses = operation["statuses"]
    print(f"  {name:<28}", "  ".join(f"{status}: {count}" for status, count in sorted(statuses.items())))
barren = [name for name, operation in operations.items() if not any(s.startswith("2") for s in operation["statuses"])]
broken = [name for name, operation in operations.items() if any(s.startswith("5") for s in operation["statuses"])]
if barren or broken:
    sys.exit(f"never successful: {', '.join(barren) or 'none'}; failed by itself: {', '.join(broken) or 'none'}")
