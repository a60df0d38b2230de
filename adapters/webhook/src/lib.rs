//! Standard Webhooks: sign, verify, and a sender guarded against SSRF
