#!/usr/bin/perl
# An ESME on Net::SMPP that goes through a script, answers deliver_sm, and
# reports everything as one JSON object a line. What comes for 9955 and five
# digits is answered with these as command_status. The only argument is a JSON
# object with options:
#   port       the server
#   sessions   {bind, system_id, password, steps}, one after the other, the last
#              one stays
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use JSON::PP;
use Net::SMPP;
use Steps;

my $options = decode_json($ARGV[0]);
my @ids;
my $index = 0;
my $last = $#{$options->{sessions}};

sub delivered {
	my ($smpp, $pdu) = @_;
	my $status = status('9955', $pdu->{destination_addr});
	say_event(event => 'deliver', content($pdu), status => $status, text => $pdu->{short_message},
		receipted_message_id => unpack('Z*', $pdu->{receipted_message_id} // ''),
		message_state => unpack('C', $pdu->{message_state} // "\0"));
	$smpp->deliver_sm_resp(message_id => '', status => $status, seq => $pdu->{seq});
}

# answer reads until the answer to our request has come; what the server asks
# meanwhile is answered. Nothing is returned at the end of the session.
sub answer {
	my ($smpp) = @_;
	while (my $pdu = $smpp->read_pdu()) {
		return $pdu if $pdu->{cmd} & 0x80000000;
		delivered($smpp, $pdu) if $pdu->{cmd} == 5;
		$smpp->enquire_link_resp(seq => $pdu->{seq}) if $pdu->{cmd} == 0x15;
		if ($pdu->{cmd} == 6) {
			$smpp->unbind_resp(seq => $pdu->{seq});
			return;
		}
	}
	return;
}

for my $number (0 .. $last) {
	my $one = $options->{sessions}[$number];
	my $smpp = Net::SMPP->new_connect('127.0.0.1', port => $options->{port}, async => 1) or die "cannot connect: $!";
	my $bind = $one->{bind};
	$smpp->$bind(system_id => $one->{system_id}, password => $one->{password}, interface_version => 0x34);
	my $bound = answer($smpp) or die 'no answer to the bind';
	say_event(event => 'bound', index => $number, status => 0 + $bound->{status});
	for my $step (@{$one->{steps} // []}) {
		ask($smpp, $step, '15551230001', @ids);
		my $pdu = answer($smpp) or die "no answer to step $index";
		push @ids, $pdu->{message_id} // '';
		say_event(event => 'answer', index => $index++, status => 0 + $pdu->{status}, id => $pdu->{message_id} // '',
			message_state => 0 + ($pdu->{message_state} // 0), failed => [map { 0 + $_ } @{$pdu->{error_status_code} // []}]);
	}
	if ($number == $last) {
		say_event(event => 'finished');
		answer($smpp); # receipts
	}
}
