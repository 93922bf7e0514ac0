#include <stdint.h>
#include <stdlib.h>
#include <wayland-client.h>

// The taker in what follows is the number of a Go value (runtime/cgo.Handle),
// which every listener gets.

// duet_registry returns the display's registry, whose events, and those of all
// that is bound through it, go to a queue.
struct wl_registry *duet_registry(struct wl_display *display, struct wl_event_queue *queue, uintptr_t taker);
void duet_listen_device(struct wl_data_device *device, uintptr_t taker);
void duet_listen_offer(struct wl_data_offer *offer, uintptr_t taker);

// duet_spare_offers keeps Gio from destroying what it is offered of a drag, from
// the drag's beginning until duet_offers_done (drop_wayland_gio.c). The latter must
// be called while nobody else can read the display's events.
void duet_spare_offers(void);
void duet_offers_done(struct wl_display *display);
