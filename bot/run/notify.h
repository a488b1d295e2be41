/* bot/run/notify.h - tells systemd how we are (sd_notify(3): a datagram to $NOTIFY_SOCKET). */
#ifndef BOT_RUN_NOTIFY_H
#define BOT_RUN_NOTIFY_H

/* Without a $NOTIFY_SOCKET these do nothing. */
void notify_ready(void);
void notify_stopping(void);

#endif
