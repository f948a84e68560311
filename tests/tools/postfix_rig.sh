#!/bin/bash
# A private real Postfix on loopback: relay, final mailboxes and true DSNs. As root, with Debian's package postfix; the
# system's own instance is left alone.          postfix_rig.sh start|stop FOLDER PORT
#   …@box.test      Maildir FOLDER/mail/inbox/new (Delivered-To and Return-Path tell who, and which sender)
#   …@bounces.test  Maildir FOLDER/mail/bounces/new: where DSNs to senders there arrive
#   hard+…@box.test 550 5.1.1 at RCPT        grey+…@box.test 450 4.7.1 at RCPT
#   …@late.test     accepted; then a real DSN goes back
# FOLDER/cert.pem and key.pem are made by the caller.
set -eu
RIG=$2; PORT=$3; C=$RIG/pf; Q=$RIG/queue; D=$RIG/data
if [ "$1" = stop ]; then exec postfix -c "$C" stop; fi
mkdir -p "$C" "$Q" "$D" "$RIG/mail"
chown postfix "$D"; chown nobody "$RIG/mail"; chmod 755 "$RIG" "$C"
cat > "$C/main.cf" <<X
compatibility_level = 3.6
queue_directory = $Q
data_directory = $D
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.box.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
disable_dns_lookups = yes
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access regexp:$C/access, permit_mynetworks, reject
virtual_mailbox_domains = box.test bounces.test late.test
smtpd_reject_unlisted_recipient = no
virtual_mailbox_base = $RIG/mail
virtual_mailbox_maps = regexp:$C/boxes
virtual_uid_maps = static:$(id -u nobody)
virtual_gid_maps = static:$(id -g nobody)
relayhost =
recipient_delimiter =
maillog_file = $RIG/maillog
maillog_file_prefixes = $RIG
smtpd_tls_security_level = may
smtpd_tls_cert_file = $RIG/cert.pem
smtpd_tls_key_file = $RIG/key.pem
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
message_size_limit = 1000000
notify_classes =
X
printf '%s\n' '/^hard\+/ 550 5.1.1 no such user' '/^grey\+/ 450 4.7.1 come back later' > "$C/access"
printf '%s\n' '/@bounces\.test$/ bounces/' '/@box\.test$/ inbox/' > "$C/boxes"
cat > "$C/master.cf" <<X
127.0.0.1:$PORT inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
X
postfix -c "$C" start
