#!/usr/bin/perl
# An ESME on Net::SMPP that goes through a script, answers deliver_sm, and
# reports everything as one JSON object a line. The only argument is a JSON
# object with options:
#   port       the server
#   sessions   {bind, system_id, password, steps}, one after the other, the last
#              one stays
use strict;
use warnings;
use JSON::PP;
use Net::SMPP;

$| = 1;
my $json = JSON::PP->new->canonical;
my $options = decode_json($ARGV[0]);

sub say_event { print $json->encode({@_}), "\n" }

my @ids;
my $index = 0;
my $last = $#{$options->{sessions}};

# request sends one step.
sub request {
	my ($smpp, $step) = @_;
	my $command = $step->{command};
	my %pdu;
	%pdu = (source_addr_ton => 1, source_addr_npi => 1, source_addr => '15551230001') unless $command =~ /^(bind|enquire)/;
	%pdu = (%pdu, dest_addr_ton => 1, dest_addr_npi => 1) if $command =~ /^(submit|data|cancel)/;
	%pdu = (%pdu, short_message => pack('H*', $step->{text} // '')) if $command =~ /^(submit|replace)/;
	%pdu = (%pdu, schedule_delivery_time => '', validity_period => '', registered_delivery => 0, sm_default_msg_id => 0) if $command eq 'replace_sm';
	%pdu = (%pdu, destination_addr => '') if $command eq 'cancel_sm';
	%pdu = (%pdu, %{$step->{fields} // {}});
	$pdu{message_id} = $ids[$step->{id_of}] if defined $step->{id_of};
	if ($step->{dests} || $step->{lists}) {
		my ($dests, $lists) = ($step->{dests} // [], $step->{lists} // []);
		$pdu{dest_flag} = [(1) x @$dests, (2) x @$lists];
		$pdu{dest_addr_ton} = $pdu{dest_addr_npi} = [(1) x (@$dests + @$lists)];
		$pdu{destination_addr} = [@$dests, @$lists];
	}
	my %tlvs = %{$step->{tlvs} // {}};
	$smpp->$command(%pdu, map { $_ => pack('H*', $tlvs{$_}) } sort keys %tlvs);
}

sub delivered {
	my ($smpp, $pdu) = @_;
	say_event(event => 'deliver', source => $pdu->{source_addr}, destination => $pdu->{destination_addr},
		esm_class => 0 + $pdu->{esm_class}, data_coding => 0 + $pdu->{data_coding}, text => $pdu->{short_message},
		receipted_message_id => unpack('Z*', $pdu->{receipted_message_id} // ''),
		message_state => unpack('C', $pdu->{message_state} // "\0"));
	$smpp->deliver_sm_resp(message_id => '', seq => $pdu->{seq});
}

# answer reads until the answer to our request has come; what the server asks
# meanwhile is answered. Nothing is returned at the end of the session.
sub answer {
	my ($smpp) = @_;
	while (my $pdu = $smpp->read_pdu()) {
		return $pdu if $pdu->{cmd} & 0x80000000;
		delivered($smpp, $pdu) if $pdu->{cmd} == 5;
		$smpp->enquire_link_resp(seq => $pdu->{seq}) if $pdu->{cmd} == 0x15;
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
		request($smpp, $step);
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
