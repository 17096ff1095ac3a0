/* Moves an interface of the host into the container: few netlink messages, all of bounded size (CVE-2021-43784). */
#include "ops.h"
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

struct interface { char name[16]; int index; char rest[20]; };
struct request { struct nlmsghdr header; union { struct ifinfomsg link; struct ifaddrmsg address; } about; char attributes[1000]; };
static struct { char data[16384]; u32 size; } kept;

/* What has been moved, for who must give it back; `inside` keeps the network namespace alive until then. */
static struct moved { char name[16]; const char *other_name; int inside, index, there; short flags; } moved[64];
static u32 moved_count;

static int index_of(int fd, const char *name) {
  struct interface request = {.index = 0};
  append(request.name, request.name + sizeof request.name, name);
  TRY(SYS(ioctl, fd, SIOCGIFINDEX, &request));
  return request.index;
}

/* Its name, while one with this index is there; `name` has 16 bytes, or is not asked for. */
static int is_taken(int fd, int index, char *name) {
  struct interface request = {.index = index};
  int result = RAW(ioctl, fd, SIOCGIFNAME, &request) == 0;
  if (result && name) memcpy(name, request.name, sizeof request.name);
  return result;
}

static struct request start(u16 type, u16 flags, u32 fixed) {
  return (struct request){.header = {(u32)NLMSG_LENGTH(fixed), type, flags | NLM_F_REQUEST | NLM_F_ACK, 1, 0}};
}

static void put(struct request *m, u16 type, const void *data, u32 size) {
  struct rtattr *attribute = (struct rtattr *)((char *)m + NLMSG_ALIGN(m->header.nlmsg_len));
  attribute->rta_type = type;
  attribute->rta_len = (u16)RTA_LENGTH(size);
  memcpy(RTA_DATA(attribute), data, size);
  m->header.nlmsg_len = (u32)(NLMSG_ALIGN(m->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len));
}

/* The kernel's answer: 0 or a negative errno. */
static int transact(int fd, const struct request *m) {
  static union { struct nlmsghdr header; char room[8192]; } answer;
  TRY(SYS(sendto, fd, m, m->header.nlmsg_len, 0, 0, 0));
  long got = TRY(SYS(recvfrom, fd, &answer, sizeof answer, 0, 0, 0));
  if (got < (long)NLMSG_LENGTH(sizeof(int)) || answer.header.nlmsg_type != NLMSG_ERROR) return -EBADMSG;
  where = W_sendto;
  return *(int *)NLMSG_DATA(&answer.header);
}

static int keep_address(const struct nlmsghdr *header, int index) {
  const struct ifaddrmsg *address = NLMSG_DATA(header);
  u32 size = NLMSG_ALIGN(header->nlmsg_len);
  if (header->nlmsg_type != RTM_NEWADDR || header->nlmsg_len < NLMSG_LENGTH(sizeof *address)) return 0;
  if ((int)address->ifa_index != index || address->ifa_scope != RT_SCOPE_UNIVERSE || !(address->ifa_flags & IFA_F_PERMANENT)) return 0;
  if (size > sizeof kept.data - kept.size || header->nlmsg_len > sizeof(struct request)) return -EMSGSIZE;
  memcpy(kept.data + kept.size, header, header->nlmsg_len);
  kept.size += size;
  return 0;
}

/* The kernel drops all addresses on the way; the permanent, global ones are to stay. */
static int keep_addresses(int fd, int index) {
  static union { struct nlmsghdr header; char room[32768]; } answer;
  struct request m = start(RTM_GETADDR, NLM_F_DUMP, sizeof m.about.address);
  m.header.nlmsg_flags &= (u16)~NLM_F_ACK;
  TRY(SYS(sendto, fd, &m, m.header.nlmsg_len, 0, 0, 0));
  for (kept.size = 0;;) {
    long left = TRY(SYS(recvfrom, fd, &answer, sizeof answer, 0, 0, 0));
    if (left == 0) return -EBADMSG;
    for (struct nlmsghdr *at = &answer.header; NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
      if (at->nlmsg_type == NLMSG_DONE) return 0;
      if (at->nlmsg_type == NLMSG_ERROR) return *(int *)NLMSG_DATA(at);
      TRY(keep_address(at, index));
    }
  }
}

/* Each as it was, but for the index, and for the label, which is made of the old name. */
static int restore_addresses(int fd, int index) {
  for (u32 at = 0; at < kept.size;) {
    struct nlmsghdr *old = (struct nlmsghdr *)(kept.data + at);
    struct request m = start(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof m.about.address);
    m.about.address = *(struct ifaddrmsg *)NLMSG_DATA(old);
    m.about.address.ifa_index = (u32)index;
    long left = (long)IFA_PAYLOAD(old);
    for (struct rtattr *a = IFA_RTA(NLMSG_DATA(old)); RTA_OK(a, left); a = RTA_NEXT(a, left))
      if (a->rta_type != IFA_LABEL) put(&m, a->rta_type, RTA_DATA(a), (u32)RTA_PAYLOAD(a));
    TRY(transact(fd, &m));
    at += NLMSG_ALIGN(old->nlmsg_len);
  }
  return 0;
}

/* A socket keeps the network namespace in which it was made. */
static int socket_inside(void) {
  int own = (int)TRY(SYS(openat, AT_FDCWD, "/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  int result = (int)SYS(setns, G.pidfd, CLONE_NEWNET);
  int fd = result < 0 ? result : (int)SYS(socket, AF_NETLINK, SOCK_RAW | O_CLOEXEC, NETLINK_ROUTE);
  if (result >= 0) result = (int)SYS(setns, own, CLONE_NEWNET);
  RAW(close, own);
  return result < 0 ? result : fd;
}

static int set_up(int fd, int index) {
  struct request m = start(RTM_NEWLINK, 0, sizeof m.about.link);
  m.about.link.ifi_index = index;
  m.about.link.ifi_flags = m.about.link.ifi_change = IFF_UP;
  return transact(fd, &m);
}

static struct request move_message(int index, const char *new_name, int pid, int there) {
  struct request m = start(RTM_NEWLINK, 0, sizeof m.about.link);
  m.about.link.ifi_index = index;
  put(&m, IFLA_IFNAME, new_name, (u32)str_length(new_name) + 1);
  put(&m, IFLA_NET_NS_PID, &pid, 4);
  put(&m, IFLA_NEW_IFINDEX, &there, 4);
  return m;
}

/* A further name of the device, `ip link property`: no name to rename it to for as long as it has it. */
static int set_other_name(int fd, int index, u16 type, const char *name) {
  struct request m = start(type, type == RTM_NEWLINKPROP ? NLM_F_CREATE | NLM_F_EXCL : 0, sizeof m.about.link);
  struct { struct rtattr header; char name[16]; } list = {{(u16)RTA_LENGTH(str_length(name) + 1), IFLA_ALT_IFNAME}, ""};
  m.about.link.ifi_index = index;
  append(list.name, list.name + sizeof list.name, name);
  put(&m, IFLA_PROP_LIST | NLA_F_NESTED, &list, RTA_ALIGN(list.header.rta_len));
  return transact(fd, &m);
}

/*
 * Renamed and moved in one message. The kernel looks at the new name only after the move, so we do before; and it may refuse the
 * name then all the same, with the device moved: what counts is where the device is, not what the kernel answers.
 */
static int move(int outside, int inside, const char *given, const char *wanted) {
  struct moved this = {.inside = inside};
  struct { char name[16]; short flags; char rest[22]; } request = {.flags = 0};
  int template = 0;
  this.index = this.there = TRY(index_of(outside, given));
  if (!is_taken(outside, this.index, this.name)) return -ENODEV;
  const char *new_name = str_equal(given, wanted) ? this.name : wanted; /* `given` may be one of its other names */
  for (const char *c = new_name; *c; c++) template |= *c == '%';
  if (!template && index_of(inside, new_name) >= 0) return -EEXIST;
  if (moved_count == ARRAY(moved)) return -E2BIG;
  while (is_taken(inside, this.there, NULL)) this.there++;
  append(request.name, request.name + sizeof request.name, this.name);
  TRY(SYS(ioctl, outside, SIOCGIFFLAGS, &request));
  this.flags = request.flags;
  TRY(keep_addresses(outside, this.index));
  if (!template && !str_equal(new_name, this.name) && index_of(outside, new_name) == this.index) this.other_name = new_name;
  if (this.other_name) TRY(set_other_name(outside, this.index, RTM_DELLINKPROP, this.other_name));
  struct request m = move_message(this.index, new_name, G.pid, this.there);
  int result = transact(outside, &m);
  if (is_taken(inside, this.there, NULL) && !is_taken(outside, this.index, NULL)) moved[moved_count++] = this;
  else if (this.other_name) set_other_name(outside, this.index, RTM_NEWLINKPROP, this.other_name);
  where = W_sendto;
  TRY(result);
  TRY(restore_addresses(inside, this.there));
  return set_up(inside, this.there);
}

/*
 * Undoes the moves, the last first: the kernel gives back physical devices only, under whatever name they had, and
 * destroys the others with their namespace. Only while nothing of the image has run in there.
 */
void give_devices_back(void) {
  int outside = moved_count ? (int)RAW(socket, AF_NETLINK, SOCK_RAW | O_CLOEXEC, NETLINK_ROUTE) : -1;
  while (moved_count) {
    struct moved *m = &moved[--moved_count];
    int there = m->index;
    while (is_taken(outside, there, NULL)) there++;
    kept.size = 0;
    keep_addresses(m->inside, m->there);
    struct request back = move_message(m->there, m->name, (int)RAW(getpid), there);
    /* Somebody may have taken its name: then it is there under the one it had inside, or one that the kernel picks. */
    if (transact(m->inside, &back) < 0 && is_taken(m->inside, m->there, NULL)) {
      back = move_message(m->there, "lost%d", (int)RAW(getpid), there);
      transact(m->inside, &back);
    }
    if (m->other_name) set_other_name(outside, there, RTM_NEWLINKPROP, m->other_name);
    restore_addresses(outside, there);
    if (m->flags & IFF_UP) set_up(outside, there);
  }
  if (outside >= 0) RAW(close, outside);
}

/* From now on they are the container's. */
void leave_devices(void) {
  while (moved_count) RAW(close, moved[--moved_count].inside);
}

int op_net_device(const struct step *s) {
  if (length(s, S_NET_DEVICE_name) > 15 || length(s, S_NET_DEVICE_newName) > 15) return -EINVAL;
  int outside = (int)TRY(SYS(socket, AF_NETLINK, SOCK_RAW | O_CLOEXEC, NETLINK_ROUTE));
  int inside = high(socket_inside());
  int result = inside < 0 ? inside : move(outside, inside, text(s, S_NET_DEVICE_name), text(s, S_NET_DEVICE_newName));
  int keep = moved_count && moved[moved_count - 1].inside == inside;
  RAW(close, outside);
  if (inside >= 0 && !keep) RAW(close, inside);
  return result;
}
