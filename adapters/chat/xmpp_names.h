/* adapters/chat/xmpp_names.h - the namespaces that Linli speaks on XMPP, each with its source. */
#ifndef ADAPTERS_CHAT_XMPP_NAMES_H
#define ADAPTERS_CHAT_XMPP_NAMES_H

#define NS_FRAMING   "urn:ietf:params:xml:ns:xmpp-framing" /* RFC 7395 */
#define NS_STREAM    "http://etherx.jabber.org/streams"    /* RFC 6120 */
#define NS_STREAMS   "urn:ietf:params:xml:ns:xmpp-streams" /* RFC 6120, stream errors */
#define NS_STANZAS   "urn:ietf:params:xml:ns:xmpp-stanzas" /* RFC 6120, stanza errors */
#define NS_SASL      "urn:ietf:params:xml:ns:xmpp-sasl"
#define NS_BIND      "urn:ietf:params:xml:ns:xmpp-bind"
#define NS_CLIENT    "jabber:client"
#define NS_MUC       "http://jabber.org/protocol/muc"       /* XEP-0045 */
#define NS_MUC_USER  "http://jabber.org/protocol/muc#user"
#define NS_MUC_OWNER "http://jabber.org/protocol/muc#owner"
#define NS_DATA      "jabber:x:data"                        /* XEP-0004 */
#define NS_DISCO     "http://jabber.org/protocol/disco#info" /* XEP-0030 */
#define NS_OOB       "jabber:x:oob"                         /* XEP-0066 */
#define NS_RECEIPTS  "urn:xmpp:receipts"                    /* XEP-0184 */
#define NS_BLOCKED   "urn:xmpp:blocking:errors"             /* XEP-0191 */
#define NS_SM        "urn:xmpp:sm:3"                        /* XEP-0198 */
#define NS_PING      "urn:xmpp:ping"                        /* XEP-0199 */
#define NS_DELAY     "urn:xmpp:delay"                       /* XEP-0203 */
#define NS_FORWARD   "urn:xmpp:forward:0"                   /* XEP-0297 */
#define NS_CORRECT   "urn:xmpp:message-correct:0"           /* XEP-0308 */
#define NS_MAM       "urn:xmpp:mam:2"                       /* XEP-0313 */
#define NS_SID       "urn:xmpp:sid:0"                       /* XEP-0359 */
#define NS_EME       "urn:xmpp:eme:0"                       /* XEP-0380 */
#define NS_OMEMO     "eu.siacs.conversations.axolotl"       /* XEP-0384 as clients use it */
#define NS_OMEMO_2   "urn:xmpp:omemo:2"
#define NS_PGP       "jabber:x:encrypted"                   /* XEP-0027 */
#define NS_OCCUPANT  "urn:xmpp:occupant-id:0"               /* XEP-0421 */
#define NS_FALLBACK  "urn:xmpp:fallback:0"                  /* XEP-0428 */
#define NS_REACTIONS "urn:xmpp:reactions:0"                 /* XEP-0444 */
#define NS_REPLY     "urn:xmpp:reply:0"                     /* XEP-0461 */

#endif
