#!/usr/bin/perl
# An ESME on Net::SMPP: it binds as a transceiver, goes through every request
# of SMPP 3.4 one after the other, answers deliver_sm, and reports everything
# as one JSON object a line. The only argument is a JSON object with options:
#   port, system_id, password   the server
use strict;
use warnings;
use JSON::PP;
use Net::SMPP;

$| = 1;
my $json = JSON::PP->new->canonical;
my $options = decode_json($ARGV[0]);

sub say_event { print $json->encode({@_}), "\n" }

my $smpp = Net::SMPP->new_transceiver('127.0.0.1', port => $options->{port}, async => 1,
	system_id => $options->{system_id}, password => $options->{password}, interface_version => 0x34)
	or die "cannot connect: $!";

my @common = (source_addr_ton => 1, source_addr_npi => 1, source_addr => '15551230001', registered_delivery => 1);
sub to { return (dest_addr_ton => 1, dest_addr_npi => 1, destination_addr => '1555000' . $_[0]) }

my $id = ''; # of the scheduled message
my @steps = (
	sub { $smpp->submit_sm(@common, to('0000'), short_message => 'plain text') },
	sub { $smpp->submit_sm(@common, to('0001'), data_coding => 8, short_message => pack('n*', 0x043A, 0x043B, 0xD83D, 0xDE00)) },
	sub { $smpp->submit_sm(@common, to('0002'), esm_class => 0x40, data_coding => 4, short_message => pack('H*', '0605040b8423f080ff') ) },
	sub { $smpp->submit_sm(@common, to('0003'), short_message => 'one ', sar_msg_ref_num => pack('n', 5), sar_total_segments => pack('C', 2), sar_segment_seqnum => pack('C', 1)) },
	sub { $smpp->submit_sm(@common, to('0003'), short_message => 'two', sar_msg_ref_num => pack('n', 5), sar_total_segments => pack('C', 2), sar_segment_seqnum => pack('C', 2)) },
	sub { $smpp->submit_sm(@common, to('0004'), short_message => '', message_payload => 'x' x 400) },
	sub { $smpp->submit_multi(@common, short_message => 'to many', dest_flag => [1, 1], dest_addr_ton => [1, 1], dest_addr_npi => [1, 1], destination_addr => ['15550000005', '15550000006']) },
	sub { $smpp->data_sm(source_addr_ton => 1, source_addr_npi => 1, source_addr => '15551230001', registered_delivery => 1, esm_class => 0, data_coding => 0, to('0007'), message_payload => 'by data_sm') },
	sub { $smpp->submit_sm(@common, to('0008'), schedule_delivery_time => '000000010000000R', short_message => 'later') },
	sub { $smpp->query_sm(message_id => $id, source_addr_ton => 1, source_addr_npi => 1, source_addr => '15551230001') },
	sub { $smpp->replace_sm(message_id => $id, source_addr_ton => 1, source_addr_npi => 1, source_addr => '15551230001', schedule_delivery_time => '', validity_period => '', registered_delivery => 0, sm_default_msg_id => 0, short_message => 'better') },
	sub { $smpp->cancel_sm(message_id => $id, source_addr_ton => 1, source_addr_npi => 1, source_addr => '15551230001', dest_addr_ton => 1, dest_addr_npi => 1, destination_addr => '') },
	sub { $smpp->query_sm(message_id => $id, source_addr_ton => 1, source_addr_npi => 1, source_addr => '15551230001') },
	sub { $smpp->query_sm(message_id => '123456789012345', source_addr => '') },
	sub { $smpp->submit_sm(@common, destination_addr => '', short_message => 'to nobody') },
	sub { $smpp->submit_sm(@common, to('0009'), data_coding => 8, short_message => 'odd') },
	sub { $smpp->enquire_link() },
);
my $step = -1;

while (my $pdu = $smpp->read_pdu()) {
	if ($pdu->{cmd} == 5) { # deliver_sm
		say_event(event => 'deliver', source => $pdu->{source_addr}, destination => $pdu->{destination_addr},
			esm_class => 0 + $pdu->{esm_class}, data_coding => 0 + $pdu->{data_coding}, text => $pdu->{short_message},
			receipted_message_id => unpack('Z*', $pdu->{receipted_message_id} // ''),
			message_state => unpack('C', $pdu->{message_state} // "\0"));
		$smpp->deliver_sm_resp(message_id => '', seq => $pdu->{seq});
		next;
	}
	if ($pdu->{cmd} == 0x15) {
		$smpp->enquire_link_resp(seq => $pdu->{seq});
		next;
	}
	next unless $pdu->{cmd} & 0x80000000;
	say_event(event => 'answer', index => $step, status => 0 + $pdu->{status}, id => $pdu->{message_id} // '',
		message_state => 0 + ($pdu->{message_state} // 0));
	$id = $pdu->{message_id} if $step == 8;
	if (++$step < @steps) {
		$steps[$step]->();
	} elsif ($step == @steps) {
		say_event(event => 'finished');
	}
}
