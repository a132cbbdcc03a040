#!/usr/bin/perl
# A carrier's message centre on Net::SMPP: it accepts any bind, answers every
# submit_sm, sends a receipt, and reports everything it sees as one JSON object
# a line. A destination 4477 and five digits is answered with these as its
# command_status. The only argument is a JSON object with options:
#   port   where to listen
use strict;
use warnings;
use JSON::PP;
use Net::SMPP;

$| = 1;
$SIG{CHLD} = 'IGNORE';
my $json = JSON::PP->new->canonical;
my $options = decode_json($ARGV[0]);

sub say_event { syswrite STDOUT, $json->encode({@_}) . "\n" }

# By itself the library waits 5 seconds for a client, and no longer.
my $server = Net::SMPP->new_listen('127.0.0.1', port => $options->{port}, timeout => 3600) or die "cannot listen: $!";
say_event(event => 'listening', port => 0 + $options->{port});

while (my $s = $server->accept) {
	next if fork;
	serve($s);
	exit;
}

sub serve {
	my ($s) = @_;
	my $next = 1000 * $$;
	while (my $pdu = $s->read_pdu()) {
		my @seq = (seq => $pdu->{seq});
		if ($pdu->{cmd} == 9) {
			say_event(event => 'bound');
			$s->bind_transceiver_resp(system_id => 'perl', sc_interface_version => pack('C', 0x34), @seq);
		} elsif ($pdu->{cmd} == 0x15) {
			$s->enquire_link_resp(@seq);
		} elsif ($pdu->{cmd} == 6) {
			$s->unbind_resp(@seq);
			return;
		} elsif ($pdu->{cmd} == 4) {
			submit($s, $pdu, ++$next);
		} elsif ($pdu->{cmd} == 0x80000005) {
			say_event(event => 'receipt', status => 0 + $pdu->{status});
		} elsif (!($pdu->{cmd} & 0x80000000)) {
			say_event(event => 'unknown', index => 0 + $pdu->{cmd});
			$s->generic_nack(status => 3, @seq);
		}
	}
}

sub submit {
	my ($s, $pdu, $id) = @_;
	my $to = $pdu->{destination_addr};
	my $status = $to =~ /^4477(\d{5})$/ ? 0 + $1 : 0;
	my $sar = defined $pdu->{sar_total_segments}
		? unpack('C', $pdu->{sar_segment_seqnum}) . '/' . unpack('C', $pdu->{sar_total_segments}) : '';
	my $payload = $pdu->{message_payload};
	say_event(event => 'submit', id => "$id", sar => $sar, payload => defined $payload ? JSON::PP::true : JSON::PP::false, source => $pdu->{source_addr}, destination => $to, status => $status,
		esm_class => 0 + $pdu->{esm_class}, data_coding => 0 + $pdu->{data_coding},
		registered_delivery => 0 + $pdu->{registered_delivery}, octets => unpack('H*', $payload // $pdu->{short_message}));
	$s->submit_sm_resp(message_id => $status ? '' : "$id", status => $status, seq => $pdu->{seq});
	return if $status;
	my @t = gmtime;
	my $now = sprintf '%02d%02d%02d%02d%02d', $t[5] % 100, $t[4] + 1, $t[3], $t[2], $t[1];
	$s->deliver_sm(async => 1, source_addr_ton => 1, source_addr_npi => 1, source_addr => $to,
		dest_addr_ton => 1, dest_addr_npi => 1, destination_addr => $pdu->{source_addr}, esm_class => 4,
		short_message => "id:$id sub:001 dlvrd:001 submit date:$now done date:$now stat:DELIVRD err:000 text:");
}
