"""Suppliers on loopback that speak their real protocols: /supplier/acg/…, /supplier/dujiao/…, told what to do at /supplier/_control.

GET  _control              what is sold, what was ordered, credentials by protocol
POST _control/faults       {"kind", "value"?, "protocol"?, "times"?}; DELETE ends them
POST _control/finish       {"protocol", "order", "failed"?}: a slow order is done now, or over without goods, and its callback sent

Keys, orders and balances are kept in the sandbox's folder over a restart; faults are not.
"""
