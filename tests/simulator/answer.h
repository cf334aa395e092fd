/* Sends a reply through the HTTP library, in whatever way the fault that fired wants it to travel. */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>

#include "fault.h"
#include "reply.h"

/* Waits; false when the client went away or the program ends before the time is over. `milliseconds` < 0: for ever. */
bool answer_wait(int socket, int stop_fd, long milliseconds);
int answer_socket(struct MHD_Connection *connection);

/* Takes the body out of the reply. The result is what the request handler returns. */
enum MHD_Result answer_send(struct MHD_Connection *connection, const struct request *request, struct reply *reply,
                            const struct fired *fired, int stop_fd);
